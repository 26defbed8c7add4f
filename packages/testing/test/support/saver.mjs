// A process that saves templates. Its argument is JSON: of which server.
import { save } from '../../dist/saving/saver.js'

await save(process.argv[2])
