/** The part of jsdom that tests use. Its own types require those of a browser. */
declare module 'jsdom' {
  export class JSDOM {
    constructor(html: string);
    readonly window: { readonly document: object };
  }
}
