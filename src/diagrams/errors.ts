export type DiagramErrorCode = 'diagram_too_large' | 'diagrams_busy';

/** A diagram cannot be drawn, or not now. */
export class DiagramError extends Error {
  readonly code: DiagramErrorCode;

  constructor(code: DiagramErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PictureError';
    this.code = code;
  }
}
