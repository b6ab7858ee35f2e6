// Measures one section in a process of its own: `measure.js SECTION FOLDER`.
import { isSection, SECTIONS } from './sections/index.ts';

const [name, folder] = process.argv.slice(2);
if (name === undefined || folder === undefined || !isSection(name)) throw new Error(`no section "${name}"`);
const result = await SECTIONS[name].measure(folder);
process.send?.(result, () => process.disconnect());
