import { runJob } from './run-job.js';
import { serveJob } from './serve-job.js';

/** Entry point of the thread that runs a machine. */
serveJob(({ job, requests }) => runJob(job, requests));
