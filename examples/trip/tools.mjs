// A real booking would be a request to the airline, with the idempotency key: a crash may repeat it.

/** @param {{ traveller: string }} input */
export function book_flight({ traveller }) {
  return { flight: `flight of ${traveller}` };
}

/** @param {{ traveller: string, hotel: string }} input */
export function book_hotel({ traveller, hotel }) {
  if (hotel === 'full') throw Object.assign(new Error('there is no room left'), { retryable: false });
  return { room: `room of ${traveller} in ${hotel}` };
}

/** @param {{ flight: string }} input */
export function cancel_flight({ flight }) {
  return { cancelled: flight };
}

/** @param {{ room: string }} input */
export function cancel_hotel({ room }) {
  return { cancelled: room };
}

/**
 * Cancels what was booked, unless the trip has been booked as a whole.
 *
 * @param {{ status: string, flight: string | null, room: string | null }} input
 */
export function cancel_bookings({ status, flight, room }) {
  if (status === 'completed') return { cancelled: [] };
  return { cancelled: [room, flight].filter((booking) => typeof booking === 'string') };
}
