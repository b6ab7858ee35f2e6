import { useCallback, useSyncExternalStore } from 'react';

/** Sent by `navigate`, because `history.replaceState` causes no event. */
const CHANGED = 'console:location';

const EVENTS = ['hashchange', 'popstate', CHANGED];
const subscribers = new Set<() => void>();

/** Tells all subscribers at once: React must not render one part of the page for the new path and another one for the old search. */
function onChange(): void {
  for (const subscriber of subscribers) subscriber();
}

function subscribe(subscriber: () => void): () => void {
  if (subscribers.size === 0) for (const event of EVENTS) addEventListener(event, onChange);
  subscribers.add(subscriber);
  return () => {
    subscribers.delete(subscriber);
    if (subscribers.size === 0) for (const event of EVENTS) removeEventListener(event, onChange);
  };
}

/** Path and search of a fragment such as `#/executions?status=failed`. */
function parts(): { readonly path: string; readonly search: string } {
  const [path = '', search = ''] = location.hash.replace(/^#/, '').split('?', 2);
  return { path: path.startsWith('/') ? path : `/${path}`, search };
}

/** Goes to a path of the console, with its search. `replace`: without a new entry in the history. */
export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const url = `#${to}`;
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  dispatchEvent(new Event(CHANGED));
}

/** The location hook of the router: pages are in the fragment of the URL, which never reaches the server. */
export function useHashLocation(): [string, typeof navigate] {
  return [useSyncExternalStore(subscribe, () => parts().path), navigate];
}

/**
 * The last segment of the path, decoded: an id of users. The parameters of the router are not decoded wholly: a slash in an id would stay
 * `%2F`.
 */
export function useLastSegment(): string {
  const path = useSyncExternalStore(subscribe, () => parts().path);
  const segment = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(segment);
  } catch {
    // Typed by hand.
    return segment;
  }
}

export function useHashSearch(): string {
  return useSyncExternalStore(subscribe, () => parts().search);
}

/** New values of parameters; undefined or nothing removes one, a list gives it several times. */
export type ParameterChange = Readonly<Record<string, string | readonly string[] | undefined>>;

type ChangeParameters = (
  values: ParameterChange,
  /** `push`: the Back button undoes the change. */
  options?: { readonly push?: boolean },
) => void;

/** Parameters of the page, which are part of its URL. */
export function useParameters(): [URLSearchParams, ChangeParameters] {
  const search = useHashSearch();
  const change = useCallback<ChangeParameters>((values, { push = false } = {}) => {
    const { path, search: before } = parts();
    const next = new URLSearchParams(before);
    for (const [name, value] of Object.entries(values)) {
      next.delete(name);
      for (const each of typeof value === 'string' ? [value] : (value ?? [])) if (each !== '') next.append(name, each);
    }
    const text = next.toString();
    navigate(text === '' ? path : `${path}?${text}`, { replace: !push });
  }, []);
  return [new URLSearchParams(search), change];
}

/** The address of the page, to share; it holds no token. */
export function shareableUrl(path: string): string {
  return new URL(`#${path}`, location.href).href;
}
