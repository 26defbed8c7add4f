import { defineConfig } from 'tsup'

/** Every package is built alike: one ES module, its types and a source map. */
export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  clean: true,
  // Else a class that mentions itself is called `_FileLock` in stack traces.
  keepNames: true,
  removeNodeProtocol: false,
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
})
