import { useEffect, useId, useState } from 'react';
import type { AuditItem } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Field, FieldRow } from '../../components/field.tsx';
import { TextFilter } from '../../components/resource/filters.tsx';
import { useParameters } from '../../routing/hash-location.ts';

const NAMES = ['actor_id', 'event_type', 'execution_id', 'from', 'to'] as const;

/** Conditions of the list, kept in the URL. `known` are entries whose values are suggested. */
export function AuditFilters({ known }: { readonly known: readonly AuditItem[] }) {
  const [parameters, change] = useParameters();
  const isFiltered = NAMES.some((name) => parameters.has(name));
  return (
    <FieldRow label="Filter">
      <SuggestingFilter name="actor_id" label="Actor" suggested={known.map(({ actor_id }) => actor_id)} />
      <SuggestingFilter name="event_type" label="Event type" suggested={known.map(({ event_type }) => event_type)} />
      <SuggestingFilter name="execution_id" label="Execution" suggested={[]} />
      <TextFilter name="from" label="From" type="datetime-local" />
      <TextFilter name="to" label="Before" type="datetime-local" />
      {isFiltered && (
        <p>
          <Button kind="quiet" onClick={() => change(Object.fromEntries(NAMES.map((name) => [name, undefined])))}>
            Clear filters
          </Button>
        </p>
      )}
    </FieldRow>
  );
}

/** The list is read when the field is left or Enter is pressed: half a name matches nothing. */
function SuggestingFilter({
  name,
  label,
  suggested,
}: {
  readonly name: (typeof NAMES)[number];
  readonly label: string;
  readonly suggested: readonly string[];
}) {
  const [parameters, change] = useParameters();
  const id = useId();
  const value = parameters.get(name) ?? '';
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const apply = (): void => {
    if (text.trim() !== value) change({ [name]: text.trim() });
  };
  return (
    <Field label={label}>
      {(control) => (
        <>
          <input
            {...control}
            list={id}
            value={text}
            maxLength={256}
            autoComplete="off"
            spellCheck={false}
            onChange={({ target }) => setText(target.value)}
            onBlur={apply}
            onKeyDown={({ key }) => key === 'Enter' && apply()}
          />
          <datalist id={id}>
            {[...new Set(suggested)].sort().map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
