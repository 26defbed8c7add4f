import type { Options } from 'tsup'
import base from '../../tsup.config.base.ts'

/** The library: a door to our packages, which are its dependencies. `rolldown.config.ts` builds the command. */
const library: Options = { ...(base as Options), clean: false }

export default library
