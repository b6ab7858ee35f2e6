import { type FormEvent, useId } from 'react';
import { Button } from '../components/button.tsx';
import { Logo } from '../components/logo.tsx';
import styles from './sign-in.module.css';

interface Props {
  /** Why the page is shown; null = the first visit. */
  readonly notice: string | null;
  readonly onToken: (token: string) => void;
}

export function SignIn({ notice, onToken }: Props) {
  const id = useId();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim();
    if (token !== '') onToken(token);
  };
  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={submit}>
        <Logo />
        <h1>Sign in</h1>
        {notice !== null && <p role="alert">{notice}</p>}
        <label htmlFor={id}>Token</label>
        <input id={id} name="token" type="password" autoComplete="off" spellCheck={false} required />
        <p className={styles.hint}>
          An API token, as <code>jamjet token create</code> prints it. It is kept until this tab is closed.{' '}
          <code>jamjet console</code> prints a link that needs no token.
        </p>
        <Button type="submit" kind="primary">
          Sign in
        </Button>
      </form>
    </main>
  );
}
