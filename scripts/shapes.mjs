// Finds object literals that begin with a spread and then get a key that the spread object lacks, `{ ...row, name }`, where steps, commits, reads
// and requests pass. V8 11.3 (Node 20) makes a hidden class at each evaluation of such a literal, and code that meets its objects stays slow.
// `{ name, ...row }` and Object.assign do not. What is evaluated once, outside of functions, does not count, nor do computed keys, whose objects
// are maps. `// New shape: REASON.` before the statement or the key allows a literal.
//   node scripts/shapes.mjs
import { relative } from 'node:path';
import { SyntaxKind } from 'typescript-native/unstable/ast';
import { isFunctionLikeDeclaration, isObjectLiteralExpression, isSpreadAssignment } from 'typescript-native/unstable/ast/is';
import { API, SymbolFlags } from 'typescript-native/unstable/sync';

const CHECKED = /^(?:machines\/(?:program|redaction|replay|step)\/|store\/|src\/(?:api|executors|runtime|telemetry)\/)/;
const RARE = {
  'run when a process starts':
    /^src\/api\/(?:app|metrics\/|openapi\/|operations\/|overload\/early-refusal|schemas\/|services)|^src\/runtime\/index\.ts|^src\/telemetry\/|^store\/log\/event-types|^store\/postgres\/(?:connections|tls)/,
  'wait for other hosts, models and people':
    /^src\/api\/(?:a2a|discovery|mcp)\/|^src\/executors\/|^src\/runtime\/(?:commands\/(?:fork\/|resume)|erasure\/|history\/|memory\/|subject-tokens\/)/,
  'serve operators and auditors':
    /^src\/api\/routes\/(?:agents|audit|console|history|identity|jobs|memory|sign-in|tenants|tokens|webhooks|workers|workflows)|^store\/(?:audit|port|resources)\/|^store\/\w+\/(?:audit\/(?:audit-log|find|slices|verify)|control-log|survey)/,
};

const api = new API();
const [{ program, checker }] = api.updateSnapshot({ openProject: 'tsconfig.build.json' }).getProjects();
const found = program
  .getSourceFileNames()
  .map((file) => relative('.', file))
  .filter((file) => CHECKED.test(file) && !Object.values(RARE).some((rare) => rare.test(file)))
  .flatMap((file) => literalsIn(program.getSourceFile(file)).flatMap((literal) => finding(file, literal)));
api.close();
for (const line of found) console.log(line);
process.exitCode = found.length === 0 ? 0 : 1;

/** The literals of functions that begin with a spread and go on. */
function literalsIn(source) {
  const literals = [];
  const visit = (node, inFunction) => {
    if (inFunction && isObjectLiteralExpression(node) && node.properties.length > 1 && isSpreadAssignment(node.properties[0]))
      literals.push(node);
    node.forEachChild((child) => {
      visit(child, inFunction || isFunctionLikeDeclaration(node));
    });
  };
  visit(source, false);
  return literals;
}

function finding(file, literal) {
  const source = literal.getSourceFile();
  const line = source.getLineAndCharacterOfPosition(literal.getStart()).line;
  const added = addedKeys(literal);
  if (added.length === 0 || /\/\/ New shape: /.test(source.text.split('\n')[line - 1])) return [];
  return [`${file}:${line + 1}: a new shape at each evaluation, because the first spread lacks ${added.join(', ')}`];
}

/** The keys that the objects spread before them do not have, or do not always have. */
function addedKeys(literal) {
  const types = [];
  const isNew = (name) => !types.some((type) => isRequired(checker.getPropertyOfType(type, name)));
  return literal.properties.flatMap((property) => {
    if (!isSpreadAssignment(property))
      return property.name.kind === SyntaxKind.ComputedPropertyName ? [] : [property.name.text].filter(isNew);
    const type = checker.getTypeAtLocation(property.expression);
    const keys = types.length === 0 ? [] : keysOf(type).filter(isNew);
    types.push(type);
    return keys;
  });
}

function isRequired(property) {
  return property !== undefined && (property.flags & SymbolFlags.Optional) === 0;
}

function keysOf(type) {
  const parts = type.isUnionType() ? type.getTypes() : [type];
  return parts.flatMap((part) => checker.getPropertiesOfType(part).map(({ name }) => name));
}
