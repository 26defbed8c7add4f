// Builds the site of `pnpm run docs`, and looks at it as readers do: each link leads to a page and a heading that are there, and in a
// real browser no page reports an error or scrolls sideways on a telephone, what is too wide has a scroll bar of its own, pictures
// are there, and the search finds a word. HOWDAH_BROWSER names the browser; without it a Chromium is looked for, and if there is none
// only the links are checked, which is said. `--built` takes the site as the last build left it.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { delimiter, dirname, extname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const site = join(root, '.vitepress/dist')
/** The width of a small telephone. */
const narrow = { width: 360, height: 740 }

const faults = []
if (!process.argv.includes('--built')) {
  execFileSync('pnpm', ['run', 'docs', 'build'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
const pages = readdirSync(site, { recursive: true })
  .filter((name) => name.endsWith('.html') && name !== '404.html')
  .toSorted((one, other) => (one < other ? -1 : 1))
checkLinks()
const chosen = browserPath()
if (chosen === null) console.log('no Chromium is found: the pages are looked at in no browser')
else await lookAtPages(chosen)
for (const fault of faults) console.error(fault)
if (faults.length === 0) console.log(`${pages.length} pages are sound`)
process.exitCode = faults.length === 0 ? 0 : 1

/** Whether each link of the site leads to a page of it, and to a heading of that page. */
function checkLinks() {
  const ids = new Map()
  const idsOf = (page) => {
    if (!ids.has(page)) {
      const text = readFileSync(join(site, page), 'utf8')
      ids.set(page, new Set([...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => decoded(id))))
    }
    return ids.get(page)
  }
  for (const page of pages) {
    for (const [, link] of readFileSync(join(site, page), 'utf8').matchAll(
      /<a[^>]*\shref="([^"]*)"/g,
    )) {
      const { origin, pathname, hash } = new URL(decoded(link), `https://site/${page}`)
      if (origin !== 'https://site') continue
      const target = fileOf(decodeURIComponent(pathname))
      if (target === null) faults.push(`${page}: ${link} leads to no page`)
      else if (hash !== '' && !idsOf(target).has(decodeURIComponent(hash.slice(1))))
        faults.push(`${page}: ${link} leads to no heading`)
    }
  }
}

/** The file of the site that a path leads to, or `null`. */
function fileOf(path) {
  const bare = posix.normalize(path).slice(1)
  const candidates = path.endsWith('/') ? [`${bare}index.html`] : [bare, `${bare}.html`]
  return candidates.find((name) => extname(name) !== '' && existsSync(join(site, name))) ?? null
}

function decoded(text) {
  return text
    .replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
}

function browserPath() {
  const { HOWDAH_BROWSER, PATH = '' } = process.env
  if (HOWDAH_BROWSER !== undefined) return HOWDAH_BROWSER
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  return (
    PATH.split(delimiter)
      .flatMap((directory) => names.map((name) => join(directory, name)))
      .find(existsSync) ?? null
  )
}

async function lookAtPages(executablePath) {
  const server = createServer(serve)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${server.address().port}`
  // Chromium does not run as root within its sandbox.
  const browser = await chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid?.() !== 0,
  })
  try {
    const tab = await browser.newPage({ viewport: narrow })
    let path = ''
    const report = (what) => faults.push(`${path}: ${what}`)
    tab.on('console', (message) => {
      if (message.type() === 'error') report(`says ${message.text()}`)
    })
    tab.on('pageerror', (error) => report(`fails: ${error.message}`))
    tab.on('requestfailed', (request) => report(`cannot load ${request.url()}`))
    // The reference is many pages of one make.
    for (path of pages.filter(
      (name) => !name.startsWith('api/') || name === pages.find((one) => one.startsWith('api/')),
    )) {
      await tab.goto(`${address}/${path}`, { waitUntil: 'networkidle' })
      for (const what of await tab.evaluate(seenByReader)) report(what)
    }
    path = 'the search'
    await search(tab, address, report)
  } finally {
    await browser.close()
    server.close()
  }
}

/** Runs in the page: what a reader would trip over. */
function seenByReader() {
  const seen = []
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth > clientWidth)
    seen.push(`scrolls sideways: ${scrollWidth} in ${clientWidth} pixels`)
  for (const wide of document.querySelectorAll('.vp-doc pre, .vp-doc table')) {
    const { overflowX } = getComputedStyle(wide)
    if (wide.scrollWidth > wide.clientWidth && !['auto', 'scroll'].includes(overflowX))
      seen.push(`cuts off: ${wide.textContent.trim().slice(0, 40)}`)
  }
  for (const picture of document.querySelectorAll('.vp-doc img'))
    if (picture.naturalWidth === 0) seen.push(`does not show ${picture.getAttribute('src')}`)
  return seen
}

/** Types a word as a reader does, and follows the first result. */
async function search(tab, address, report) {
  await tab.goto(`${address}/`, { waitUntil: 'networkidle' })
  await tab.locator('.VPNavBarSearch button').first().click()
  await tab.locator('.VPLocalSearchBox input').fill('worktree')
  const result = tab.locator('.VPLocalSearchBox .results .result').first()
  try {
    await result.waitFor({ timeout: 10_000 })
    await result.click()
    await tab.getByText('worktree').first().waitFor({ timeout: 10_000 })
  } catch {
    report('finds no page for "worktree"')
  }
}

function serve({ url }, response) {
  const types = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
    '.json': 'application/json',
    '.woff2': 'font/woff2',
  }
  const name = fileOf(decodeURIComponent(new URL(url, 'http://site').pathname))
  if (name === null) response.writeHead(404).end()
  else {
    response.writeHead(200, { 'content-type': types[extname(name)] ?? 'application/octet-stream' })
    response.end(readFileSync(join(site, name)))
  }
}
