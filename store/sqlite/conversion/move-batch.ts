/** Moves some rows, inside a transaction. False = there were none. */
export type MoveBatch = () => boolean;
