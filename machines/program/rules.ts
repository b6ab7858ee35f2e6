import { LANGUAGE } from '../expression/syntax-tree.ts';
import type { JsonObject } from '../json.ts';

/**
 * Version of the execution rules. An execution follows one version from its start to its end, so that its log is replayed by the rules that
 * wrote it. A rule that changes raises it; what the earlier version said goes on for executions that started under it.
 */
export const RULES = 1;

/** The versions that an execution keeps, as `workflow_started` has them: 1 is not written. */
export const KEPT_VERSIONS: JsonObject = {
  ...(LANGUAGE > 1 ? { language: LANGUAGE } : {}),
  ...(RULES > 1 ? { rules: RULES } : {}),
};

/** Was the execution started under rules, or in a language, of this release or an earlier one? */
export function areKnown({ language = 1, rules = 1 }: JsonObject): boolean {
  return Number(language) <= LANGUAGE && Number(rules) <= RULES;
}
