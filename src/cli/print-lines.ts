const BATCH_CHARACTERS = 1 << 16;

/**
 * Prints lines on stdout as fast as its reader takes them. A reader that goes away early (`| head`) ends the printing quietly. Lines before an error of the
 * producer are printed.
 */
export async function printLines(lines: Iterable<string>): Promise<void> {
  let batch = '';
  try {
    for (const line of lines) {
      batch += `${line}\n`;
      if (batch.length < BATCH_CHARACTERS) continue;
      const text = batch;
      batch = '';
      if (!(await print(text))) return;
    }
  } finally {
    await print(batch);
  }
}

/** False when the reader is gone. */
function print(text: string): Promise<boolean> {
  if (text === '') return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === null || error === undefined) resolve(true);
      else if ((error as NodeJS.ErrnoException).code === 'EPIPE') resolve(false);
      else reject(error);
    });
  });
}
