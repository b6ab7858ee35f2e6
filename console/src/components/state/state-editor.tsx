import { useMemo, useRef, useState } from 'react';
import { isObject, type Json, type JsonObject, mergePatch } from '../../../../machines/json.ts';
import { type Change, stateDiff } from '../../../../src/views/state-diff.ts';
import { stateEdit } from '../../../../src/views/state-edit.ts';
import type { EditedJson } from '../edited-json.ts';
import { JsonEditor } from '../json-editor.tsx';
import { type CheckJson, useSchemaCheck } from '../json-schema/schema-check.ts';
import { Changes } from './changes.tsx';
import styles from './state-editor.module.css';

/** A longer state is not edited as a whole: only what changes is written. */
const MAX_WHOLE = 200_000;

/** The merge patch of what was edited, why there is none, or that it is being checked. */
export type EditedState = { readonly patch: JsonObject } | { readonly problem: string } | { readonly pending: true };

interface Props {
  readonly state: JsonObject;
  /** What the edited state must fit; what was wrong before may stay. */
  readonly schema: JsonObject | null;
  readonly onChange: (edited: EditedState) => void;
  /** What has been edited already, for example in another state. */
  readonly initialPatch?: JsonObject;
}

/** Edits a state, or a merge patch of a large one, and shows what would change. */
export function StateEditor({ state: initial, schema, onChange, initialPatch = {} }: Props) {
  // The page may read the state again meanwhile; what is edited stays what is compared with.
  const [state] = useState(initial);
  const [patched] = useState(initialPatch);
  const { text, isWhole } = useMemo(() => {
    const whole = JSON.stringify(mergePatch(state, patched), null, 2);
    return whole.length <= MAX_WHOLE
      ? { text: whole, isWhole: true }
      : { text: JSON.stringify(patched, null, 2), isWhole: false };
  }, [state, patched]);
  const check = useNewProblems(state, schema, isWhole);
  const [edited, setEdited] = useState<EditedState>({ patch: patched });
  const changes = useMemo(() => ('patch' in edited ? changesBy(state, edited.patch) : null), [state, edited]);
  const change = (json: EditedJson): void => {
    const next = 'value' in json ? editOf(state, json.value, isWhole) : json;
    setEdited(next);
    onChange(next);
  };
  return (
    <div className={styles.editor}>
      {!isWhole && (
        <p>
          The state is large. Write what changes, as a JSON merge patch: <code>{'{"key": "new value", "removed": null}'}</code>
        </p>
      )}
      <JsonEditor label={isWhole ? 'State' : 'State patch'} initialText={text} onChange={change} check={check} />
      {'problem' in edited && <p role="alert">{edited.problem}</p>}
      {changes !== null && <Changes changes={changes} none="Nothing is changed." />}
    </div>
  );
}

function editOf(state: JsonObject, value: Json, isWhole: boolean): EditedState {
  if (isWhole) return stateEdit(state, value);
  return isObject(value) ? { patch: value } : { problem: 'A patch is an object.' };
}

function changesBy(state: JsonObject, patch: JsonObject): readonly Change[] {
  return Object.keys(patch).flatMap((key) => {
    const before = Object.hasOwn(state, key) ? { [key]: state[key] ?? null } : {};
    return stateDiff(before, mergePatch(before, { [key]: patch[key] ?? null }));
  });
}

/** The check against the schema, without the problems that the state had before it was edited. */
function useNewProblems(state: JsonObject, schema: JsonObject | null, isWhole: boolean): CheckJson | undefined {
  const check = useSchemaCheck(schema);
  const before = useRef<Promise<readonly string[]> | null>(null);
  return useMemo(() => {
    if (check === undefined) return undefined;
    return async (value) => {
      before.current ??= check(state);
      const known = new Set(await before.current);
      const problems = await check(isWhole ? value : mergePatch(state, value));
      return problems.filter((problem) => !known.has(problem));
    };
  }, [check, state, isWhole]);
}
