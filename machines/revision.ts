import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Workflow } from './ir/workflow.ts';
import { canonicalJson } from './json.ts';

/**
 * The revision of a workflow: SHA-256 (hex) of its document, regardless of the order of keys. The order of nodes counts, because it
 * decides ties when the workflow runs.
 */
export function revisionOf(workflow: Workflow): string {
  const order = workflow.nodes.map((node) => node.id);
  return bytesToHex(sha256(utf8ToBytes(canonicalJson([order, workflow.source]))));
}
