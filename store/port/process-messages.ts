/** A message to one process, or to all. */
export interface ProcessMessage {
  /** The receiver's `ProcessMessages.self`; null = all processes on the database, the sender too. */
  readonly to: string | null;
  /** At most `MAX_MESSAGE_BYTES` in UTF-8. */
  readonly text: string;
}

export const MAX_MESSAGE_BYTES = 7_000;

/**
 * Messages between the processes on one database, of which nothing is stored: for what is only shown. A message may be lost; those
 * between two processes come in order.
 */
export interface ProcessMessages {
  /** This process, a UUID. */
  readonly self: string;
  /** Resolves when the messages are on their way. What is sent meanwhile goes together. Rejects with `StoreError`. */
  send(messages: readonly ProcessMessage[]): Promise<void>;
  /** Calls `receiver` with each message to this process. Returns a function that ends that. */
  receive(receiver: (text: string) => void): () => void;
}
