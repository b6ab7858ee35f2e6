import { useRef } from 'react';

/** A key for `Idempotency-Key`. Pages without TLS have no `crypto.randomUUID`. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The idempotency key of a request: the same as long as the request is, so that a second click, or another try after a lost reply, does not do it
 * twice.
 */
export function useRequestKey(): (request: unknown) => string {
  const last = useRef({ text: '', key: '' });
  return (request) => {
    const text = JSON.stringify(request);
    if (last.current.text !== text) last.current = { text, key: newKey() };
    return last.current.key;
  };
}
