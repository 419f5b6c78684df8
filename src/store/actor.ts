/** Who changed a record, for the event that says so. */
export interface Actor {
  /** `administrator:admin`, `api-key:deploy`, `cli:root`, `system`. */
  readonly name: string;
  /** The address that the change came from; null for the command line. */
  readonly source: string | null;
}
