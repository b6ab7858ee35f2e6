import { type FormEvent, type Ref, useState } from 'react';
import { searchesOf } from '../../../../src/views/execution-search.ts';
import { Name } from '../../components/name.tsx';
import styles from './executions.module.css';

interface Props {
  readonly ref: Ref<HTMLInputElement>;
  readonly onId: (digits: string) => void;
  readonly onLabel: (label: string) => void;
}

/** Finds executions by a part of their id, or by a label. What Enter does is said below the box; the other meaning is a click away. */
export function SearchBox({ ref, onId, onLabel }: Props) {
  const [text, setText] = useState('');
  const { id, label } = searchesOf(text);
  const choose = (search: () => void): void => {
    search();
    setText('');
  };
  const choices = [
    ...(id === null ? [] : [{ what: 'Id with', value: id, run: () => onId(id) }]),
    ...(label === null ? [] : [{ what: 'Label', value: label, run: () => onLabel(label) }]),
  ];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const [first] = choices;
    if (first !== undefined) choose(first.run);
  };
  return (
    <search className={styles.search}>
      <form onSubmit={submit}>
        <input
          ref={ref}
          type="search"
          value={text}
          aria-label="Search by id or label"
          placeholder="Search: id, or label key=value"
          spellCheck={false}
          autoComplete="off"
          maxLength={2_048}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        {choices.length > 0 && (
          <div className={styles.choices}>
            {choices.map(({ what, value, run }, index) => (
              <button key={what} type="button" onClick={() => choose(run)}>
                {what} <Name text={value} maxChars={40} /> {index === 0 && <kbd>Enter</kbd>}
              </button>
            ))}
          </div>
        )}
      </form>
    </search>
  );
}
