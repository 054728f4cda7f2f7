import ts from 'typescript-lowest';
import { type Binding, readDeclarations } from './declarations.js';

/** The public surface of one entry point. */
export interface Surface {
  /** Public name → its declaration. */
  readonly exported: ReadonlyMap<string, string>;
  /** Declarations that those mention, and that nobody can import; whoever uses the exports depends on them all the same. */
  readonly mentioned: readonly string[];
  /** All of those, as the compiler sees them. */
  readonly statements: ReadonlySet<ts.Statement>;
}

/** A name, and the file that declares it. */
interface Declared {
  readonly file: string;
  readonly statements: readonly ts.Statement[];
}

const printer = ts.createPrinter({ removeComments: true });

/**
 * Collects the surface of an entry point from its source file.
 *
 * @param main the surface of the package's main entry point, which need not be repeated
 */
export function surfaceOf(entry: string, main?: Surface): Surface {
  const exported = new Map<string, string>();
  const seen = new Set(main?.statements);
  const waiting: Declared[] = [];
  for (const [name, binding] of readDeclarations(entry).exports) {
    const declared = resolve(entry, binding);
    exported.set(name, textOf(declared));
    for (const statement of declared.statements) seen.add(statement);
    waiting.push(declared);
  }
  const mentioned: string[] = [];
  for (const { file, statements } of waiting) {
    for (const name of statements.flatMap(mentionedNames)) {
      const binding = readDeclarations(file).names.get(name);
      if (binding === undefined) continue;
      const declared = resolve(file, binding);
      if (declared.statements.every((statement) => seen.has(statement))) continue;
      for (const statement of declared.statements) seen.add(statement);
      mentioned.push(textOf(declared));
      waiting.push(declared);
    }
  }
  return { exported, mentioned, statements: seen };
}

/** Follows a name from file to file to its declaration. */
function resolve(file: string, binding: Binding): Declared {
  if (binding.kind === 'here') return { file, statements: binding.declarations };
  const next = readDeclarations(binding.file).exports.get(binding.name);
  if (next === undefined) throw new Error(`${binding.file} does not export ${binding.name}`);
  return resolve(binding.file, next);
}

/** A declaration without comments, and without `export` and `declare`, which all have. */
function textOf({ statements }: Declared): string {
  const text = (statement: ts.Statement): string =>
    printer.printNode(ts.EmitHint.Unspecified, statement, statement.getSourceFile());
  return statements.map((statement) => text(statement).replace(/^(export |declare )+/, '')).join('\n');
}

/** The names that a declaration mentions as types, or asks the type of. */
function mentionedNames(statement: ts.Statement): readonly string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) names.push(firstName(node.typeName));
    if (ts.isTypeQueryNode(node)) names.push(firstName(node.exprName));
    if (ts.isExpressionWithTypeArguments(node)) names.push(node.expression.getText());
    if (ts.isComputedPropertyName(node)) names.push(node.expression.getText());
    ts.forEachChild(node, visit);
  };
  visit(statement);
  return names;
}

function firstName(name: ts.EntityName): string {
  return ts.isIdentifier(name) ? name.text : firstName(name.left);
}
