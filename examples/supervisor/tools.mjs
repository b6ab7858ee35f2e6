const NOTES = [
  'The green lamp needs 4 watts.',
  'The green lamp is made of recycled glass.',
  'The blue kettle boils a litre in two minutes.',
];

/** @param {{ word: string }} input */
export function search({ word }) {
  return { notes: NOTES.filter((note) => note.toLowerCase().includes(word.toLowerCase())) };
}
