// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { book_flight, book_hotel, cancel_bookings } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    traveller: Type.String(),
    hotel: Type.String(),
    flight: Type.String(),
    room: Type.String(),
    given_back: Type.Unsafe<{ cancelled: string[] }>({ type: 'object' }),
  }),
);

export const trip = workflow({
  id: 'trip',
  version: '1.0.0',
  description: 'Book a flight and a hotel; give back what was booked if the rest cannot be',
  state: State,
  start: 'book_flight',
  tools: { book_flight, book_hotel, cancel_bookings },
  nodes: {
    book_flight: { type: 'tool', input: { traveller: '{{ state.traveller }}' }, next: 'book_hotel' },
    book_hotel: { type: 'tool', input: { traveller: '{{ state.traveller }}', hotel: '{{ state.hotel }}' }, next: 'pay' },
    pay: { type: 'human_approval', message: 'Pay for {{ state.flight }} and {{ state.room }}?', timeout: '1d' },
    cancel_bookings: {
      type: 'finalizer',
      input: { status: '{{ output.status }}', flight: '{{ state.flight }}', room: '{{ state.room }}' },
      outputKey: 'given_back',
    },
  },
  tests: [
    {
      name: 'keeps what was booked',
      input: { traveller: 'Ada', hotel: 'Ritz' },
      results: {
        book_flight: { flight: 'f-1' },
        book_hotel: { room: 'r-1' },
        pay: { approve: true },
        cancel_bookings: { cancelled: [] },
      },
      expect: { status: 'completed', visited: ['book_flight', 'book_hotel', 'pay', 'cancel_bookings'] },
    },
    {
      name: 'gives back the flight when there is no room',
      input: { traveller: 'Ada', hotel: 'full' },
      results: {
        book_flight: { flight: 'f-1' },
        book_hotel: { fail: 'there is no room left', retryable: false },
        cancel_bookings: { cancelled: ['f-1'] },
      },
      expect: { status: 'failed', visited: ['book_flight', 'book_hotel', 'cancel_bookings'], notVisited: ['pay'] },
    },
  ],
});
