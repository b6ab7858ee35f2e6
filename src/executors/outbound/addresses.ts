import { BlockList, isIP } from 'node:net';

/** Refused whatever the configuration: unspecified, link-local (cloud metadata), multicast, reserved and translated ranges. */
const BLOCKED_V4 = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '100.100.100.200/32',
];
const BLOCKED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', 'fd00:ec2::/32'];
/** Loopback, private networks, carrier-grade NAT: reachable only if the operator allows it. */
const PRIVATE_V4 = ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
const PRIVATE_V6 = ['::1/128', 'fc00::/7'];
/** Global unicast. Of other IPv6 addresses only IPv4-mapped and NAT64 ones are allowed. */
const PUBLIC_V6 = ['2000::/3'];
const V4_IN_V6 = ['::ffff:', '64:ff9b::'];

const blockedRanges = blockListOf(BLOCKED_V4, BLOCKED_V6);
const privateRanges = blockListOf(PRIVATE_V4, PRIVATE_V6);
const publicRanges = blockListOf(['0.0.0.0/0'], PUBLIC_V6);

export type Reach = 'public' | 'private' | 'blocked';

/** Classifies an IP address: public internet, this machine or its networks, or a range that requests never go to. */
export function reachOf(address: string): Reach {
  const version = isIP(address);
  if (version === 0) return 'blocked';
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (blockedRanges.check(address, family)) return 'blocked';
  if (privateRanges.check(address, family)) return 'private';
  return publicRanges.check(address, family) ? 'public' : 'blocked';
}

function blockListOf(v4: readonly string[], v6: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const range of v4) {
    const [net, bits] = split(range);
    blocks.addSubnet(net, bits, 'ipv4');
    for (const prefix of V4_IN_V6) blocks.addSubnet(`${prefix}${net}`, 96 + bits, 'ipv6');
  }
  for (const range of v6) blocks.addSubnet(...split(range), 'ipv6');
  return blocks;
}

function split(range: string): [net: string, bits: number] {
  const slash = range.lastIndexOf('/');
  return [range.slice(0, slash), Number(range.slice(slash + 1))];
}
