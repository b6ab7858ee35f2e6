// Books a trip as a whole or not at all, as a durable function.
import { durable, StepError, Type } from 'jamjet-runtime';
import { book_flight, book_hotel, cancel_flight, cancel_hotel } from './tools.mjs';

export const tripFunction = durable({
  id: 'trip-function',
  version: '1.0.0',
  description: 'Book a flight and a hotel; give back what was booked if the rest cannot be',
  input: Type.Object({ traveller: Type.String(), hotel: Type.String() }),
  run: async (ctx, trip) => {
    const undo: (() => Promise<unknown>)[] = [];
    try {
      const flight = await ctx.step('book flight', () => book_flight(trip));
      undo.unshift(() => ctx.step('cancel flight', () => cancel_flight(flight)));
      const hotel = await ctx.step('book hotel', () => book_hotel(trip));
      undo.unshift(() => ctx.step('cancel hotel', () => cancel_hotel(hotel)));
      const { approved } = await ctx.approval({ message: `Pay for ${flight.flight} and ${hotel.room}?`, timeout: '1d' });
      if (!approved) throw new Error('the trip was not approved');
      return { booked: { ...flight, ...hotel } };
    } catch (error) {
      // What was booked last is given back first. Each step is retried, and survives a crash, like any other.
      for (const step of undo) await step();
      return { booked: null, reason: error instanceof StepError ? `${error.step}: ${error.message}` : String(error) };
    }
  },
});
