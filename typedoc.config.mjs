// The API reference: what the published packages export, from its docstrings. `pnpm run docs` writes it into api/. `npm run check`
// fails if an export or a method has no docstring, or if a link in one leads nowhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Converter } from 'typedoc'

/** The names by which the published packages are imported, and the file that each leads to. */
const doors = {}
const packages = []
for (const directory of [
  ...readdirSync('packages').map((name) => `packages/${name}`),
  'apps/howdah',
]) {
  const manifest = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'))
  if (manifest.private) continue
  packages.push(manifest.name)
  for (const [door, { types }] of Object.entries(manifest.exports)) {
    if (types === undefined) continue
    const source = types.replace('./dist/', `${directory}/src/`).replace('.d.ts', '')
    doors[manifest.name + door.slice(1)] = [`${source}.ts`, `${source}/index.ts`].find(existsSync)
  }
}

/** Calls each module by the name by which it is imported. */
function nameModules({ converter }) {
  const names = Object.entries(doors).map(([name, path]) => [
    path.replace(/(\/index)?\.ts$/, ''),
    name,
  ])
  const named = new Map(names)
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children) module.name = named.get(module.name) ?? module.name
  })
}

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'API',
  entryPoints: Object.values(doors),
  tsconfig: 'tsconfig.typedoc.json',
  compilerOptions: {
    paths: Object.fromEntries(Object.entries(doors).map(([name, path]) => [name, [`./${path}`]])),
  },
  skipErrorChecking: true,
  excludePrivate: true,
  excludeInternal: true,
  readme: 'none',
  plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme', nameModules],
  out: 'api',
  router: 'module',
  // Links count headings of one name, in any case, in another way than the site does.
  useHTMLAnchors: true,
  docsRoot: '.',
  disableGit: true,
  sourceLinkTemplate: 'https://github.com/howdah-dev/howdah/blob/main/{path}#L{line}',
  validation: { notDocumented: true, notExported: false, invalidLink: true },
  treatValidationWarningsAsErrors: true,
  packagesRequiringDocumentation: packages,
  // Members of types that have no name.
  intentionallyNotDocumented: [
    '@howdah/known-clusters.scopeOf.__type.release',
    '@howdah/prompt.Host.stdin.__type.setRawMode',
    '@howdah/runtime.Constraint.__type.test',
    '@howdah/terminal.Asking.output.__type.progress.__type.clear',
  ],
  requiredToBeDocumented: [
    'Accessor',
    'Class',
    'Enum',
    'Function',
    'Interface',
    'Method',
    'TypeAlias',
    'Variable',
  ],
}
