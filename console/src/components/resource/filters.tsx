import type { ComponentProps } from 'react';
import { useParameters } from '../../routing/hash-location.ts';
import { Field } from '../field.tsx';

interface Props {
  /** Parameter of the page that holds the condition. */
  readonly name: string;
  readonly label: string;
}

/** A condition of the list; another one shows the first rows again. */
function useCondition(name: string): [string, (value: string) => void] {
  const [parameters, change] = useParameters();
  return [parameters.get(name) ?? '', (value) => change({ [name]: value, offset: undefined })];
}

export function ChoiceFilter({ name, label, choices }: Props & { readonly choices: readonly string[] }) {
  const [value, change] = useCondition(name);
  return (
    <Field label={label}>
      {(control) => (
        <select {...control} value={value} onChange={({ target }) => change(target.value)}>
          <option value="">All</option>
          {choices.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Applied with each letter; further properties are those of the input. */
export function TextFilter({ name, label, ...input }: Props & Omit<ComponentProps<'input'>, 'value' | 'onChange'>) {
  const [value, change] = useCondition(name);
  return (
    <Field label={label}>
      {(control) => <input type="search" {...input} {...control} value={value} onChange={({ target }) => change(target.value)} />}
    </Field>
  );
}
