// The pages of this repository, and the API reference that typedoc.config.mjs makes, as a site: `pnpm run docs`.
import { readdirSync, readFileSync } from 'node:fs'

const repository = 'https://github.com/howdah-dev/howdah'

/** A page as an entry of the sidebar, with its first heading as the text. */
const page = (path) => ({
  text: /^# (.*)$/m.exec(readFileSync(path, 'utf8'))[1],
  link: `/${path.replace(/README\.md$/, '').replace(/\.md$/, '')}`,
})
const pagesOf = (directory) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => page(`${directory}/${name}`))

/** A link as it is on the site: a directory is its README, as on GitHub, and what has no page is on GitHub. */
const onTheSite = (link) =>
  link
    .replace(/README\.md(?=#|$)/, './')
    .replace(/(\/[\w-]+)(?=#|$)/, '$1/')
    .replace(/^(?:\.\.?\/)*(?=examples\/|apps\/demo\/)/, `${repository}/tree/main/`)
    .replace(/^(?:\.\.?\/)*(?=(?:packages|apps|scripts)\/.*\.\w*ts$)/, `${repository}/blob/main/`)

export default {
  title: 'Howdah',
  description: 'A real PostgreSQL for Node programs, as easy as SQLite',
  // There is no icon; without this line a browser asks for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcExclude: ['.changeset/**', '**/CHANGELOG.md', 'examples/**'],
  rewrites: { 'README.md': 'index.md', ':path(.*)/README.md': ':path/index.md' },
  markdown: {
    config(markdown) {
      const normalize = markdown.normalizeLink
      markdown.normalizeLink = (url) => normalize(/^\w+:/.test(url) ? url : onTheSite(url))
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      { text: 'Guides', items: pagesOf('docs/guides') },
      { text: 'Pages', items: pagesOf('docs') },
      {
        text: 'Packages',
        collapsed: true,
        items: [
          'apps/howdah',
          ...readdirSync('packages').map((name) => `packages/${name}`),
        ].flatMap((directory) =>
          readdirSync(directory).includes('README.md') ? page(`${directory}/README.md`) : [],
        ),
      },
      {
        text: 'API',
        collapsed: true,
        items: JSON.parse(readFileSync('api/typedoc-sidebar.json', 'utf8')),
      },
    ],
  },
}
