import { type ReactNode, useId } from 'react';
import styles from './field.module.css';

/** What the control of a field is given: `<input {...control} />`. */
export interface FieldControl {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
}

interface Props {
  readonly label: string;
  /** What is accepted, and what an empty field means. */
  readonly hint?: ReactNode;
  /** What is wrong with the value; null = nothing. */
  readonly error?: string | null;
  readonly children: (control: FieldControl) => ReactNode;
}

/**
 * A control with its label, hint and error, which screen readers read with it.
 *
 * @example
 * <Field label="Name" hint="At most 256 characters." error={problem}>
 *   {(control) => <input {...control} name="name" required />}
 * </Field>
 */
export function Field({ label, hint, error = null, children }: Props) {
  const id = useId();
  const described = [hint === undefined ? null : `${id}-hint`, error === null ? null : `${id}-error`].filter(
    (each) => each !== null,
  );
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': described.length === 0 ? undefined : described.join(' '),
        'aria-invalid': error === null ? undefined : true,
      })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
      {error !== null && (
        <p id={`${id}-error`} className={styles.error} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

/** A checkbox with its label behind it. */
export function CheckField({
  label,
  ...input
}: {
  readonly label: ReactNode;
  readonly name?: string;
  readonly checked?: boolean;
  readonly defaultChecked?: boolean;
  readonly onChange?: (checked: boolean) => void;
}) {
  const { onChange, ...rest } = input;
  return (
    <label className={styles.check}>
      <input
        type="checkbox"
        {...rest}
        onChange={onChange === undefined ? undefined : (event) => onChange(event.target.checked)}
      />{' '}
      {label}
    </label>
  );
}

/** Filters and other fields side by side, wrapped where there is no room. */
export function FieldRow({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <fieldset className={styles.row}>
      <legend className="visually-hidden">{label}</legend>
      {children}
    </fieldset>
  );
}
