import { Component, type ReactNode } from 'react';
import { ErrorNotice } from './error-notice.tsx';

interface Props {
  readonly children: ReactNode;
}

/** Shows an error of a page in its place, for example that its code could not be loaded because the server is away. */
export class PageErrors extends Component<Props, { readonly error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    return error === null ? this.props.children : <ErrorNotice error={error} onRetry={() => location.reload()} />;
  }
}
