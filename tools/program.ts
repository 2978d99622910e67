/** Path of the built program (`npm run build`), seen from the built tools as well. */
export const MAIN = new URL('../dist/src/cli/main.js', import.meta.url).pathname.replace('/dist/dist/', '/dist/');
