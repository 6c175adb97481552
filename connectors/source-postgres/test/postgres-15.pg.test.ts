/**
 * Cheap tests once more, on the oldest PostgreSQL that is at hand; other files ask for it by themselves. For all of them:
 * `MILLRACE_POSTGRES=15 node test/run.ts pg source-postgres`.
 */
delete process.env['POSTGRES_URL'];
process.env['MILLRACE_POSTGRES'] = '15';

await import('./publication.pg.test.ts');
await import('./slot-life.pg.test.ts');
await import('./stream.pg.test.ts');

export {};
