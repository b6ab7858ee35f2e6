import { Component, type ReactNode, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { useTenantStream } from '../live/tenant-stream.tsx';
import { ErrorNotice } from './error-notice.tsx';

/** Errors of imports: a file is not loaded a second time by the same page. */
const ofImports = new WeakSet<Error>();
addEventListener('vite:preloadError', ({ payload }) => ofImports.add(payload));

/** Shows an error of a page in its place, for example that its code could not be loaded because the server is unreachable. Other pages go on. */
export function PageErrors({ children }: { readonly children: ReactNode }) {
  const [path] = useLocation();
  return <Boundary path={path}>{children}</Boundary>;
}

interface Props {
  readonly path: string;
  readonly children: ReactNode;
}

interface State {
  readonly error: unknown;
  /** The page that was shown last. */
  readonly path: string;
}

class Boundary extends Component<Props, State> {
  override state: State = { error: null, path: this.props.path };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error };
  }

  static getDerivedStateFromProps({ path }: Props, state: State): State {
    return { path, error: path === state.path ? state.error : null };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    if (error instanceof Error && ofImports.has(error)) return <NotLoaded />;
    return <ErrorNotice error={error} onRetry={() => location.reload()} />;
  }
}

/** Loads the page again by itself when the server is back. */
function NotLoaded() {
  const { state } = useTenantStream();
  const wasLost = useRef(false);
  useEffect(() => {
    if (state.state === 'waiting') wasLost.current = true;
    if (state.state === 'open' && wasLost.current) location.reload();
  }, [state]);
  const error = new Error('This page could not be loaded: the server cannot be reached, or was updated.');
  return <ErrorNotice error={error} onRetry={() => location.reload()} />;
}
