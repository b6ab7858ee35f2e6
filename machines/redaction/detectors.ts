// Every detector takes time linear in the length of the text: it looks at bounded surroundings of each candidate. It can stop anywhere between
// two candidates: `redactor.ts` gives a long text to it window by window, and other work goes on in between.

export const DETECTORS = ['email', 'ssn', 'credit_card', 'phone', 'ip_address'] as const;
export type DetectorName = (typeof DETECTORS)[number];

/** A part of a text: `start` inclusive, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Longest match, in UTF-16 code units. A text that comes in parts is held back for as much at most. */
export const MAX_DETECTED_LENGTH = 320;

/**
 * Adds what begins in a window of the text, by its start; spans may overlap. Returns where the next window begins: `until`, or behind what
 * has been looked at already.
 */
export type Finder = (text: string, from: number, until: number, found: Span[]) => number;

export function findersOf(detectors: readonly DetectorName[]): readonly Finder[] {
  return detectors.flatMap((name) => FINDERS[name]);
}

/** The numbers of JSON that a detector recognises: only those of cards are distinctive without punctuation. */
export function detectsNumber(value: number, detectors: readonly DetectorName[]): boolean {
  return detectors.includes('credit_card') && Number.isSafeInteger(value) && isCardNumber(String(value));
}

// E-mail addresses

const AT_SIGN = /@|%40/gi;
const LONGEST_SIGN = 3;
const LOCAL_CHAR = /[\p{L}\p{N}._+'~-]/u;
const DOMAIN_CHAR = /[\p{L}\p{N}.-]/u;
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;

const emails: Finder = (text, from, until, found) => {
  for (const { index: inWindow, 0: sign } of text.slice(from, until + LONGEST_SIGN - 1).matchAll(AT_SIGN)) {
    const index = from + inWindow;
    if (index >= until) break;
    let start = index;
    while (start > 0 && index - start < MAX_LOCAL && LOCAL_CHAR.test(text.charAt(start - 1))) start -= 1;
    const domainStart = index + sign.length;
    let end = domainStart;
    while (end < text.length && end - domainStart < MAX_DOMAIN && DOMAIN_CHAR.test(text.charAt(end))) end += 1;
    // A sentence may end with the address.
    while (end > domainStart && /[.-]/.test(text.charAt(end - 1))) end -= 1;
    const domain = text.slice(domainStart, end);
    if (start < index && /[^.]\.\p{L}[\p{L}\p{N}-]+$/u.test(domain)) found.push({ start, end });
  }
  return until;
};

// Numbers

const MIN_CARD = 13;
const MAX_CARD = 19;

/** Whole groups of digits that make a card's number, separated by single characters. */
const cardNumbers: Finder = (text, from, until, found) => {
  let start = nextDigit(text, from, until);
  for (; start < until; start = nextDigit(text, endOfDigits(text, start), until)) {
    if (!/[2-6]/.test(text.charAt(start))) continue;
    let digits = '';
    for (let at = start; isDigit(text, at); ) {
      const end = endOfDigits(text, at, MAX_CARD + 1);
      digits += text.slice(at, end);
      if (digits.length > MAX_CARD) break;
      if (isCardNumber(digits)) found.push({ start, end });
      at = CARD_SEPARATORS.includes(text.charAt(end)) ? end + 1 : end;
    }
  }
  return start;
};

const CARD_SEPARATORS = ' .-/\u00a0';

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** The first digit at a place or behind it, or the end of the window. */
function nextDigit(text: string, from: number, until: number): number {
  let at = from;
  while (at < until && !isDigit(text, at)) at += 1;
  return at;
}

/** Where digits end that begin at a place, if they are at most `most`. */
function endOfDigits(text: string, from: number, most: number = text.length): number {
  let at = from;
  while (at - from < most && isDigit(text, at)) at += 1;
  return at;
}

/** Numbers of cards begin with 2 to 6; times in milliseconds, with 1. */
function isCardNumber(digits: string): boolean {
  return digits.length >= MIN_CARD && digits.length <= MAX_CARD && /^[2-6]/.test(digits) && passesLuhn(digits);
}

/** @see ISO/IEC 7812-1, annex B */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** No number is given with an area 000, 666 or 9xx, a group 00 or a serial 0000. */
const SSN = /(?<!\d)(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?!\d)/g;

const socialSecurityNumbers = matchesOf(SSN);

const MIN_PHONE = 7;
const MAX_PHONE = 15;
/** Long enough for all separators of a number. */
const MAX_PHONE_LENGTH = 4 * MAX_PHONE;
/** Separators between two groups of digits, at most. */
const MAX_SEPARATORS = 3;
const PHONE_SEPARATORS = ' .-/()\u00a0';
/** Without a country: (555) 123-4567, 555-123-4567, 5551234567, also after a 1. */
const NANP = /^\(?1?[ .-]{0,2}\(?[2-9]\d{2}\)?[ .-]{0,2}[2-9]\d{2}[ .-]?\d{4}$/;

/** From each group of digits on, the most groups that make a number. */
const phoneNumbers: Finder = (text, from, until, found) => {
  let at = nextDigit(text, from, until);
  while (at < until) {
    const start = startOfPhoneNumber(text, at);
    const end = endOfPhoneNumber(text, start, at);
    if (end !== null) found.push({ start, end });
    at = nextDigit(text, end ?? endOfDigits(text, at), until);
  }
  return at;
};

/** A number may begin with (, + or (+ before its first digit. */
function startOfPhoneNumber(text: string, first: number): number {
  const afterSign = text.charAt(first - 1) === '+' ? first - 1 : first;
  return text.charAt(afterSign - 1) === '(' ? afterSign - 1 : afterSign;
}

/** `first`: the first digit, before which there may be signs from `start` on. Null = no number begins there. */
function endOfPhoneNumber(text: string, start: number, first: number): number | null {
  if (WORD.test(text.charAt(start - 1))) return null;
  const ends: number[] = [];
  const lengths = lengthsFrom(text, start, first);
  let digits = 0;
  for (let at = first; at - start <= MAX_PHONE_LENGTH; ) {
    const end = endOfDigits(text, at, MAX_PHONE + 1);
    digits += end - at;
    if (digits > lengths.most || end - start > MAX_PHONE_LENGTH) break;
    if (digits >= lengths.least) ends.push(end);
    at = end;
    while (at - end < MAX_SEPARATORS && isPhoneSeparator(text, at)) at += 1;
    // A plus can only be the first sign.
    if (text.charAt(at) === '+' || !isDigit(text, at)) break;
  }
  return ends.findLast((end) => !WORD.test(text.charAt(end)) && isPhoneNumber(text.slice(start, end))) ?? null;
}

/** How many digits a number has that begins as the text does. */
function lengthsFrom(text: string, start: number, first: number): { readonly least: number; readonly most: number } {
  if (text.charAt(first) === '0' || text.slice(start, first).includes('+')) return { least: MIN_PHONE, most: MAX_PHONE };
  const length = text.charAt(first) === '1' ? 11 : 10;
  return { least: length, most: length };
}

function isPhoneSeparator(text: string, at: number): boolean {
  return at < text.length && PHONE_SEPARATORS.includes(text.charAt(at));
}

/** Digits between letters are part of an id. */
const WORD = /[\p{L}_]/u;

function isPhoneNumber(number: string): boolean {
  if (/^\(?(?:\+|0\D*0)/.test(number) || NANP.test(number)) return true;
  // A trunk prefix, and groups: 030 123456, (0)30/123456.
  return /^\(?0/.test(number) && /[ \-/()\u00a0]/.test(number) && number.replaceAll(/\D/g, '').length > MIN_PHONE;
}

const IPV4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d]|\.\d)/g;
const IPV6_CANDIDATE = /(?<![\p{L}\p{N}:.])[0-9a-f:]{2,39}(?:\.\d{1,3}){0,3}/giu;

const ipv6Addresses = matchesOf(IPV6_CANDIDATE, isIpv6);

/** @see RFC 4291, section 2.2 */
function isIpv6(text: string): boolean {
  if (!text.includes(':')) return false;
  const [address = '', ...tail] = text.split(/(?<=:)(?=\d+\.\d+\.\d+\.\d+$)/);
  const isMapped = tail.length > 0;
  if (text.includes('.') && !isMapped) return false;
  const halves = address.replace(isMapped ? /:$/ : /^$/, '').split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const count = groups.length + (isMapped ? 2 : 0);
  // `::` and `a::` alone are more often code than addresses.
  return halves.length === 2 ? count < 8 && (groups.length >= 2 || isMapped) : count === 8;
}

/** So many code units before a match, and behind its first one, decide whether and how far the patterns match. */
const LOOK_BEHIND = 2;
const LOOK_AHEAD = 64;

/** The matches of a global pattern, from each end of one to the next, that `isOne` confirms. */
function matchesOf(pattern: RegExp, isOne: (match: string) => boolean = () => true): Finder {
  return (text, from, until, found) => {
    const base = Math.max(0, from - LOOK_BEHIND);
    const window = text.slice(base, until + LOOK_AHEAD);
    let next = from;
    for (pattern.lastIndex = from - base; next < until; ) {
      const match = pattern.exec(window);
      if (match === null || base + match.index >= until) return until;
      next = base + pattern.lastIndex;
      if (isOne(match[0])) found.push({ start: base + match.index, end: next });
    }
    return next;
  };
}

const FINDERS: Readonly<Record<DetectorName, readonly Finder[]>> = {
  email: [emails],
  ssn: [socialSecurityNumbers],
  credit_card: [cardNumbers],
  phone: [phoneNumbers],
  ip_address: [matchesOf(IPV4), ipv6Addresses],
};
