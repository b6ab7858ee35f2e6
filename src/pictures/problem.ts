export type PictureProblem = 'picture_too_large' | 'pictures_busy';

/** A picture that cannot be drawn, or not now. */
export class PictureError extends Error {
  readonly code: PictureProblem;

  constructor(code: PictureProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PictureError';
    this.code = code;
  }
}
