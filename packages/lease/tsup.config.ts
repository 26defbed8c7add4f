import { defineConfig, type Options } from 'tsup'
import base from '../../tsup.config.base.ts'

/** One entry for each backend that needs more than Node, and the program that watches over a command. */
export default defineConfig({
  ...(base as Options),
  entry: {
    index: 'src/index.ts',
    etcd: 'src/etcd/index.ts',
    postgres: 'src/postgres/index.ts',
    s3: 'src/s3/index.ts',
    guard: 'src/command/guard.ts',
  },
})
