/** How far the conversion of a database that an older release wrote has come. */
export interface ConversionProgress {
  /** Events moved, of those that this process found. Exact if none was ever removed. */
  readonly events: number;
  readonly total: number;
}
