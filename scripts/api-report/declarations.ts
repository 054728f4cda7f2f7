import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript-lowest';

/** What may stand for a name: declarations of this file, or a name of another one. */
export type Binding =
  | { readonly kind: 'here'; readonly declarations: readonly ts.Statement[] }
  | { readonly kind: 'there'; readonly file: string; readonly name: string };

/** The declarations of one source file, as its `.d.ts` will say them. */
export interface DeclarationFile {
  /** What the file itself can call by a name. */
  readonly names: ReadonlyMap<string, Binding>;
  /** What the file exports by a name. */
  readonly exports: ReadonlyMap<string, Binding>;
}

const OPTIONS = { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext } };
const read = new Map<string, DeclarationFile>();

/**
 * Reads a TypeScript source file. The text alone says what its declarations are, because the compiler holds all sources to
 * `isolatedDeclarations`.
 *
 * @throws for `export *` and for exports without a name, which a public surface is not made of
 */
export function readDeclarations(file: string): DeclarationFile {
  const known = read.get(file);
  if (known) return known;
  const { outputText } = ts.transpileDeclaration(readFileSync(file, 'utf8'), { ...OPTIONS, fileName: file });
  const { statements } = ts.createSourceFile(file, outputText, ts.ScriptTarget.ES2023, true);
  const names = new Map<string, Binding>();
  const exports = new Map<string, Binding>();
  for (const statement of statements) {
    for (const name of declaredNames(statement)) declare(name, statement);
    if (ts.isImportDeclaration(statement)) readImport(statement);
  }
  for (const statement of statements) if (ts.isExportDeclaration(statement)) readExport(statement);
  const declarations = { names, exports };
  read.set(file, declarations);
  return declarations;

  function declare(name: string, statement: ts.Statement): void {
    const before = names.get(name);
    const declarations = [...(before?.kind === 'here' ? before.declarations : []), statement];
    names.set(name, { kind: 'here', declarations });
    if (isExported(statement)) exports.set(name, { kind: 'here', declarations });
  }

  function readImport({ importClause, moduleSpecifier }: ts.ImportDeclaration): void {
    const source = sourceOf(file, moduleSpecifier);
    const bindings = importClause?.namedBindings;
    if (source === undefined || bindings === undefined || !ts.isNamedImports(bindings)) return;
    for (const { name, propertyName } of bindings.elements) {
      names.set(name.text, { kind: 'there', file: source, name: (propertyName ?? name).text });
    }
  }

  function readExport({ exportClause, moduleSpecifier }: ts.ExportDeclaration): void {
    if (exportClause === undefined || !ts.isNamedExports(exportClause)) {
      throw new Error(`${file} exports everything of another module: name what is public`);
    }
    const source = moduleSpecifier && sourceOf(file, moduleSpecifier);
    for (const { name, propertyName } of exportClause.elements) {
      const original = (propertyName ?? name).text;
      const binding: Binding | undefined = source
        ? { kind: 'there', file: source, name: original }
        : names.get(original);
      if (binding === undefined) throw new Error(`${file} exports ${original}, which is of another package`);
      exports.set(name.text, binding);
    }
  }
}

/** The file that a relative import names; nothing for one of another package. */
function sourceOf(file: string, specifier: ts.Expression): string | undefined {
  if (!ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return;
  return join(dirname(file), specifier.text.replace(/\.js$/, '.ts'));
}

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const { name } = statement as ts.Statement & { readonly name?: ts.Node };
  return name && ts.isIdentifier(name) ? [name.text] : [];
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}
