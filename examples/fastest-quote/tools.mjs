import { setTimeout as after } from 'node:timers/promises';

/**
 * Waits before it replies. The signal is aborted when another carrier was faster.
 *
 * @param {{ carrier: string, seconds: number, kg: number }} input
 */
export async function ask_carrier({ carrier, seconds, kg }, { signal }) {
  await after(seconds * 1000, undefined, { signal });
  return { carrier, price: Math.round(kg * 4.5 * 100) / 100 };
}

/** @param {{ carrier: string, price: number }} input */
export function book_carrier({ carrier, price }) {
  return { booking: `${carrier} for ${price}` };
}
