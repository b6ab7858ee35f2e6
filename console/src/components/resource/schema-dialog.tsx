import { Fragment, type ReactNode, useMemo, useState } from 'react';
import type { Static, TObject } from 'typebox';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { type FormProperty, formProperties, writtenText, writtenValue } from '../../../../src/views/request-form.ts';
import { useAction } from '../../shell/use-action.ts';
import type { EditedJson } from '../edited-json.ts';
import { FormDialog } from '../form-dialog.tsx';
import styles from './schema-dialog.module.css';
import { type FieldOptions, SchemaField } from './schema-field.tsx';

/** What is written in the fields, by property; `true` for a ticked checkbox. */
type Texts = Readonly<Record<string, string>>;

interface Props<Schema extends TObject, Output> {
  readonly title: string;
  /** The verb on the button. */
  readonly action: string;
  /** On the button that closes the dialog. Default `Cancel`. */
  readonly dismiss?: string;
  /** On the button while the request is in progress. Default: the verb. */
  readonly busy?: string;
  /** Of the body of the request: the kind of a field, what it accepts and, as its hint, what the property means. */
  readonly schema: Schema;
  /** A label or options for each property that is asked for, in their order. They may depend on what is written. */
  readonly fields: (texts: Texts) => { readonly [Name in keyof Static<Schema>]?: string | FieldOptions };
  readonly initial?: Partial<Static<Schema>>;
  readonly run: (values: Static<Schema>) => Promise<Output>;
  /** Says what was done. */
  readonly done: (output: Output) => ReactNode;
  readonly onDone: (output: Output) => void;
  readonly onClose: () => void;
  /** Above the fields. */
  readonly children?: ReactNode;
}

/**
 * A form for the body of a request, made of its schema.
 *
 * @example
 * <SchemaDialog title="New tenant" action="Create" schema={CreateTenant} fields={() => ({ id: 'Id', name: 'Name' })} run={(tenant) => client.tenants.create(tenant)} … />
 */
export function SchemaDialog<Schema extends TObject, Output>(props: Props<Schema, Output>) {
  const { title, action, dismiss = 'Cancel', busy = action, schema, initial = {}, run, done, onDone, onClose, children } = props;
  const before = initial as JsonObject;
  const properties = useMemo(() => formProperties(schema as object as JsonObject), [schema]);
  const [texts, setTexts] = useState<Texts>(() =>
    Object.fromEntries(properties.map(({ name }) => [name, writtenText(before[name])])),
  );
  const [edited, setEdited] = useState<Readonly<Record<string, EditedJson>>>({});

  const asked: Readonly<Record<string, string | FieldOptions | undefined>> = props.fields(texts);
  const fields = Object.entries(asked).flatMap(([name, given]) => {
    const property = properties.find((each) => each.name === name);
    const options = typeof given === 'string' ? { label: given } : given;
    return property === undefined || options === undefined ? [] : [{ property, options }];
  });
  const editedOf = ({ name }: FormProperty): EditedJson => edited[name] ?? { value: before[name] ?? null };
  const writtenIn = (property: FormProperty): Json | undefined => {
    if (property.control !== 'json') return writtenValue(property, texts[property.name] ?? '');
    const json = editedOf(property);
    return 'value' in json ? json.value : undefined;
  };

  const send = useAction(
    () => {
      const values = fields.map(({ property }) => [property.name, writtenIn(property)] as const);
      return run(Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Static<Schema>);
    },
    done,
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title={title}
      action={send.isPending ? busy : action}
      dismiss={dismiss}
      isBusy={send.isPending}
      error={send.error}
      isValid={fields.every(({ property }) => property.control !== 'json' || 'value' in editedOf(property))}
      onSubmit={() => send.mutate(undefined, { onSuccess: onDone })}
      onClose={onClose}
    >
      {children}
      <div className={styles.fields}>
        {fields.map(({ property, options }) => (
          <Fragment key={property.name}>
            <SchemaField
              property={property}
              options={options}
              text={texts[property.name] ?? ''}
              onText={(text) => setTexts((others) => ({ ...others, [property.name]: text }))}
              edited={editedOf(property)}
              onEdited={(json) => setEdited((others) => ({ ...others, [property.name]: json }))}
            />
            {options.below !== undefined && <div className={styles.below}>{options.below}</div>}
          </Fragment>
        ))}
      </div>
    </FormDialog>
  );
}
