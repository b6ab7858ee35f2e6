import { type Diagnostic, InvalidWorkflow } from '../../../machines/diagnostics.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { CheckedInThread } from '../../authoring/thread/check-in-thread.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { FairQueue } from '../../runtime/scheduling/fair-queue.ts';

const YAML_TYPE = /^(?:application|text)\/(?:x-)?(?:yaml|yml)\s*(?:;|$)/i;
/** Longer texts are checked in a thread; those of up to this many characters take at most 100 ms. */
const MAX_INLINE_CHARS = 8 * 1024;

/** A body in YAML, which is not parsed yet. */
export class YamlBody {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function isYaml(contentType: string | null): boolean {
  return contentType !== null && YAML_TYPE.test(contentType.trim());
}

/** A problem with its position in the body. */
interface PlacedDiagnostic extends Diagnostic {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

export interface AuthoredDocuments {
  readonly documents: readonly JsonObject[];
  readonly warnings: readonly PlacedDiagnostic[];
}

/**
 * Compiles workflow files that arrive as bodies, as the CLI compiles files. They name no files: prompts in files are refused, functions of
 * modules are left out, and schedules are only warned of. Throws `InvalidWorkflow` with the line and column of each problem.
 */
export class YamlWorkflows {
  readonly #queue = new FairQueue('too many workflow files are being compiled', {
    active: 2,
    activePerKey: 1,
    waiting: 64,
    waitingPerKey: 16,
  });

  async compile(tenantId: string, { text }: YamlBody): Promise<AuthoredDocuments> {
    const { workflows, diagnostics } = await this.#queue.run(tenantId, () => check(text));
    const placed = diagnostics.map(({ file: _file, ...diagnostic }): PlacedDiagnostic => diagnostic);
    if (workflows.length === 0) throw new InvalidWorkflow(placed.filter(({ severity }) => severity === 'error'));
    return { documents: workflows.map(({ document }) => document), warnings: placed };
  }
}

async function check(text: string): Promise<CheckedInThread> {
  if (text.length <= MAX_INLINE_CHARS) {
    const { checkWorkflow } = await import('../../authoring/check.ts');
    return checkWorkflow(text, '', 'request');
  }
  const { checkInThread } = await import('../../authoring/thread/check-in-thread.ts');
  try {
    return await checkInThread(text);
  } catch (cause) {
    throw new RuntimeError('bad_request', 'the workflow file needs too much memory to compile', { cause });
  }
}
