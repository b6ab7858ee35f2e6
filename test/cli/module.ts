/** A workflow in a module, which doubles `n`. */
export const MODULE = `
const content = { workflow: { id: 'twice', version: '1.0.0' }, nodes: { double: {} } };
const double = ({ n }: { readonly n: number }): { n: number } => ({ n: 2 * n });
export const twice = {
  [Symbol.for('jamjet-runtime.workflow')]: { content, functions: ['double'], tools: { double }, at: { file: import.meta.filename, line: 2, column: 1 } },
};
`;
