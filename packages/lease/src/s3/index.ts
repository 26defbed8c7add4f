export { createS3Leaser, type S3LeaserOptions } from './create-s3-leaser.ts'
export type { S3Sender } from './s3-sender.ts'
