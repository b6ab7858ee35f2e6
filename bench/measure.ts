// Measures one section in a process forked by bench/run.ts: `measure.js SECTION FOLDER`.
import { SECTIONS, type SectionName } from './sections.ts';

const [name, folder] = process.argv.slice(2);
if (name === undefined || folder === undefined || !Object.hasOwn(SECTIONS, name)) throw new Error(`no section "${name}"`);
const result = await SECTIONS[name as SectionName](folder);
process.send?.(result, () => process.disconnect());
