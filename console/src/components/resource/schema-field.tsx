import { type ReactNode, useId } from 'react';
import type { FormProperty } from '../../../../src/views/request-form.ts';
import type { EditedJson, JsonEditorProps } from '../edited-json.ts';
import { CheckField, Field, type FieldControl } from '../field.tsx';
import { JsonEditor } from '../json-editor.tsx';
import styles from './schema-dialog.module.css';

/** What the schema of a property does not say of its field. */
export interface FieldOptions {
  readonly label: string;
  /** Default: the description of the property; null = none. */
  readonly hint?: ReactNode;
  /** Values with their labels. Default: those of the schema. */
  readonly choices?: Readonly<Record<string, string>>;
  /** Offered while a text is typed. */
  readonly suggestions?: readonly string[];
  readonly placeholder?: string;
  /** A line of its own; default for JSON, long texts and checkboxes. */
  readonly isWide?: boolean;
  /** Of a text. */
  readonly type?: 'url' | 'datetime-local';
  /** Problems of a value that is written as JSON. */
  readonly check?: JsonEditorProps['check'];
  /** Below the field and the one beside it. */
  readonly below?: ReactNode;
}

interface Props {
  readonly property: FormProperty;
  readonly options: FieldOptions;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** Of a property that is written as JSON. */
  readonly edited: EditedJson;
  readonly onEdited: (edited: EditedJson) => void;
}

/** Longer texts have a line of their own. */
const MAX_BESIDE = 512;

/** The field of one property. */
export function SchemaField(props: Props) {
  const { property, options, text, onText, edited } = props;
  const { control, schema, description } = property;
  const isWide = options.isWide ?? (control === 'json' || control === 'check' || Number(schema.maxLength) > MAX_BESIDE);
  const described = <Described text={control === 'list' ? `${description} Separated by commas.` : description} />;
  const hint = options.hint === undefined ? described : (options.hint ?? undefined);
  return (
    <div className={isWide ? styles.wide : undefined}>
      {control === 'check' ? (
        <CheckField label={options.label} checked={text === 'true'} onChange={(checked) => onText(String(checked))} />
      ) : (
        <Field label={options.label} hint={hint} error={'problem' in edited ? edited.problem : null}>
          {(field) => <Control {...props} field={field} />}
        </Field>
      )}
    </div>
  );
}

function Control({ property, options, text, onText, edited, onEdited, field }: Props & { readonly field: FieldControl }) {
  const { control, schema, isRequired } = property;
  const id = useId();
  if (control === 'json') {
    const initialText = JSON.stringify('value' in edited ? edited.value : null, null, 2);
    return <JsonEditor label={options.label} initialText={initialText} onChange={onEdited} check={options.check} />;
  }
  const common = { ...field, value: text, required: isRequired };
  const choices = options.choices ?? (Array.isArray(schema.enum) ? namedByThemselves(schema.enum.map(String)) : null);
  if (choices !== null)
    return (
      <select {...common} onChange={({ target }) => onText(target.value)}>
        {!Object.hasOwn(choices, text) && <option value={text}>{text}</option>}
        {Object.entries(choices).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    );
  return (
    <>
      <input
        {...common}
        type={control === 'number' ? 'number' : (options.type ?? 'text')}
        min={typeof schema.minimum === 'number' ? schema.minimum : undefined}
        step={schema.type === 'number' ? 'any' : undefined}
        maxLength={typeof schema.maxLength === 'number' ? schema.maxLength : undefined}
        placeholder={options.placeholder}
        list={options.suggestions && id}
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => onText(target.value)}
      />
      {options.suggestions && (
        <datalist id={id}>
          {options.suggestions.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </>
  );
}

function namedByThemselves(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map((value) => [value, value]));
}

/** A description of the API, with its `code`. */
function Described({ text }: { readonly text: string }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text do not move
  return text.split('`').map((part, at) => (at % 2 === 0 ? part : <code key={at}>{part}</code>));
}
