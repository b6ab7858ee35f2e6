// Every detector takes time linear in the length of the text: it looks at bounded surroundings of each candidate.

export const DETECTORS = ['email', 'ssn', 'credit_card', 'phone', 'ip_address'] as const;
export type DetectorName = (typeof DETECTORS)[number];

/** A part of a text: `start` inclusive, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Longest match, in UTF-16 code units. A text that comes in parts is held back for as much at most. */
export const MAX_DETECTED_LENGTH = 320;

/** What the detectors recognise in a text, in no order; spans may overlap. */
export function detect(text: string, detectors: readonly DetectorName[]): Span[] {
  return detectors.flatMap((name) => DETECT[name](text));
}

/** The numbers of JSON that a detector recognises: only those of cards are distinctive without punctuation. */
export function detectsNumber(value: number, detectors: readonly DetectorName[]): boolean {
  return detectors.includes('credit_card') && Number.isSafeInteger(value) && isCardNumber(String(value));
}

const DETECT: Readonly<Record<DetectorName, (text: string) => Span[]>> = {
  email: emails,
  ssn: socialSecurityNumbers,
  credit_card: cardNumbers,
  phone: phoneNumbers,
  ip_address: ipAddresses,
};

// E-mail addresses

const AT_SIGN = /@|%40/gi;
const LOCAL_CHAR = /[\p{L}\p{N}._+'~-]/u;
const DOMAIN_CHAR = /[\p{L}\p{N}.-]/u;
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;

function emails(text: string): Span[] {
  const found: Span[] = [];
  for (const { index, 0: sign } of text.matchAll(AT_SIGN)) {
    let start = index;
    while (start > 0 && index - start < MAX_LOCAL && LOCAL_CHAR.test(text.charAt(start - 1))) start -= 1;
    const domainStart = index + sign.length;
    let end = domainStart;
    while (end < text.length && end - domainStart < MAX_DOMAIN && DOMAIN_CHAR.test(text.charAt(end))) end += 1;
    // A sentence may end with the address.
    while (end > domainStart && /[.-]/.test(text.charAt(end - 1))) end -= 1;
    const domain = text.slice(domainStart, end);
    if (start < index && /[^.]\.\p{L}[\p{L}\p{N}-]+$/u.test(domain)) found.push({ start, end });
  }
  return found;
}

// Numbers

/** Digits with single separators between groups. */
const DIGITS = /\d(?:[ .\-/\u00a0]?\d)*/g;

/** A group of digits within a text. */
interface Group {
  readonly digits: string;
  readonly start: number;
}

const MIN_CARD = 13;
const MAX_CARD = 19;

/** The groups of digits that follow each other, separated by single characters. */
function* digitRuns(
  text: string,
): Generator<{ readonly groups: readonly Group[]; readonly start: number; readonly end: number }> {
  for (const { 0: run, index } of text.matchAll(DIGITS)) {
    const groups = [...run.matchAll(/\d+/g)].map((group) => ({ digits: group[0], start: index + group.index }));
    yield { groups, start: index, end: index + run.length };
  }
}

/** Whole groups of digits that make a card's number. */
function cardNumbers(text: string): Span[] {
  const found: Span[] = [];
  for (const { groups } of digitRuns(text)) {
    for (let first = 0; first < groups.length; first += 1) {
      let digits = '';
      for (let last = first; last < groups.length; last += 1) {
        const group = groups[last] as Group;
        digits += group.digits;
        if (digits.length > MAX_CARD) break;
        if (isCardNumber(digits)) found.push({ start: (groups[first] as Group).start, end: group.start + group.digits.length });
      }
    }
  }
  return found;
}

/** Numbers of cards begin with 2 to 6; times in milliseconds, with 1. */
function isCardNumber(digits: string): boolean {
  return digits.length >= MIN_CARD && digits.length <= MAX_CARD && /^[2-6]/.test(digits) && passesLuhn(digits);
}

/** @see ISO/IEC 7812-1, annex B */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** No number is given with an area 000, 666 or 9xx, a group 00 or a serial 0000. */
const SSN = /(?<!\d)(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?!\d)/g;

function socialSecurityNumbers(text: string): Span[] {
  return spansOf(text, SSN);
}

/** Numbers that may belong together, with what may stand before and between them. */
const PHONE_RUN = /(?:\(?\+|\()?\d(?:[ .\-/()\u00a0]{0,3}\+?\d)*/g;
const PHONE_GROUP = /(?:\(?\+|\()?\d+/g;
const MIN_PHONE = 7;
const MAX_PHONE = 15;
/** Without a country: (555) 123-4567, 555-123-4567, 5551234567, also after a 1. */
const NANP = /^\(?1?[ .-]{0,2}\(?[2-9]\d{2}\)?[ .-]{0,2}[2-9]\d{2}[ .-]?\d{4}$/;

/** From each group of digits on, the most groups that make a number. */
function phoneNumbers(text: string): Span[] {
  const found: Span[] = [];
  for (const { 0: run, index } of text.matchAll(PHONE_RUN)) {
    const groups = spansOf(run, PHONE_GROUP);
    for (let first = 0; first < groups.length; first += 1) {
      const { start } = groups[first] as Span;
      for (let last = Math.min(groups.length, first + MAX_PHONE) - 1; last >= first; last -= 1) {
        const { end } = groups[last] as Span;
        if (!isPhoneNumber(run.slice(start, end)) || isInWord(text, index + start, index + end)) continue;
        found.push({ start: index + start, end: index + end });
        first = last;
        break;
      }
    }
  }
  return found;
}

/** Digits between letters are part of an id. */
function isInWord(text: string, start: number, end: number): boolean {
  return /[\p{L}_]/u.test(text.charAt(start - 1)) || /[\p{L}_]/u.test(text.charAt(end));
}

function isPhoneNumber(number: string): boolean {
  // Long enough for all its separators.
  if (number.length > 4 * MAX_PHONE) return false;
  const digits = number.replaceAll(/\D/g, '');
  if (digits.length < MIN_PHONE || digits.length > MAX_PHONE || number.lastIndexOf('+') > 1) return false;
  if (/^\(?\+/.test(number) || digits.startsWith('00')) return true;
  if (NANP.test(number)) return true;
  // A trunk prefix, and groups: 030 123456, (0)30/123456.
  return /^\(?0/.test(number) && digits.length > MIN_PHONE && /[ \-/()\u00a0]/.test(number);
}

const IPV4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d]|\.\d)/g;
const IPV6_CANDIDATE = /(?<![\p{L}\p{N}:.])[0-9a-f:]{2,39}(?:\.\d{1,3}){0,3}/giu;

function ipAddresses(text: string): Span[] {
  const v6 = spansOf(text, IPV6_CANDIDATE).filter(({ start, end }) => isIpv6(text.slice(start, end)));
  return [...spansOf(text, IPV4), ...v6];
}

/** @see RFC 4291, section 2.2 */
function isIpv6(text: string): boolean {
  const [address = '', ...tail] = text.split(/(?<=:)(?=\d+\.\d+\.\d+\.\d+$)/);
  const isMapped = tail.length > 0;
  if (text.includes('.') && !isMapped) return false;
  const halves = address.replace(isMapped ? /:$/ : /^$/, '').split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const count = groups.length + (isMapped ? 2 : 0);
  // `::` and `a::` alone are more often code than addresses.
  return halves.length === 2 ? count < 8 && (groups.length >= 2 || isMapped) : count === 8;
}

function spansOf(text: string, pattern: RegExp): Span[] {
  return [...text.matchAll(pattern)].map(({ index, 0: match }) => ({ start: index, end: index + match.length }));
}
