import { oneLine } from '../../../../../machines/views/text.ts';
import type { FieldTexts, InputField } from '../../../../../src/views/input-form.ts';
import { Field, type FieldControl } from '../../../components/field.tsx';
import { Name } from '../../../components/name.tsx';
import styles from './start.module.css';

interface Props {
  readonly fields: readonly InputField[];
  readonly texts: FieldTexts;
  /** By key. */
  readonly problems: Readonly<Record<string, string>>;
  /** Keys of the input that have no field. */
  readonly otherKeys: readonly string[];
  readonly onChange: (key: string, text: string) => void;
}

/** A control for each key that the state schema names. */
export function InputFields({ fields, texts, problems, otherKeys, onChange }: Props) {
  return (
    <>
      {fields.map((field) => (
        <Field
          key={field.key}
          label={`${oneLine(field.label, 100)}${field.isRequired ? ' *' : ''}`}
          hint={field.description === '' ? undefined : <Name text={field.description} maxChars={400} />}
          error={problems[field.key] ?? null}
        >
          {(control) => (
            <Control
              field={field}
              control={control}
              text={texts[field.key] ?? ''}
              onChange={(text) => onChange(field.key, text)}
            />
          )}
        </Field>
      ))}
      {otherKeys.length > 0 && (
        <p className={styles.others}>
          The JSON has further keys: <Name text={otherKeys.join(', ')} maxChars={300} />
        </p>
      )}
    </>
  );
}

interface ControlProps {
  readonly field: InputField;
  readonly control: FieldControl;
  readonly text: string;
  readonly onChange: (text: string) => void;
}

function Control({ field, control, text, onChange }: ControlProps) {
  const common = { ...control, 'aria-required': field.isRequired, value: text };
  switch (field.control) {
    case 'boolean':
    case 'choice':
      return (
        <select {...common} onChange={({ target }) => onChange(target.value)}>
          <option value="">not given</option>
          {field.control === 'boolean'
            ? ['true', 'false'].map((each) => <option key={each}>{each}</option>)
            : field.choices.map((choice, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the choices of a schema do not change
                <option key={at} value={at}>
                  {oneLine(typeof choice === 'string' ? choice : JSON.stringify(choice), 100)}
                </option>
              ))}
        </select>
      );
    case 'number':
    case 'integer':
      return <input {...common} inputMode="decimal" autoComplete="off" onChange={({ target }) => onChange(target.value)} />;
    case 'text':
    case 'json':
      return (
        <textarea
          {...common}
          className={field.control === 'json' ? styles.json : styles.text}
          rows={field.control === 'json' ? 3 : 1}
          placeholder={field.control === 'json' ? 'JSON' : undefined}
          spellCheck={field.control === 'text'}
          onChange={({ target }) => onChange(target.value)}
        />
      );
    default: {
      const unhandled: never = field.control;
      throw new Error(`unknown control ${String(unhandled)}`);
    }
  }
}
