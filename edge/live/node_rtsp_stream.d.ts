/** What we use of node-rtsp-stream 0.0.9, which has no types: one ffmpeg that makes MPEG-1, and nothing that listens. */
declare module 'node-rtsp-stream/mpeg1muxer.js' {
  import type { ChildProcess } from 'node:child_process';
  import type { EventEmitter } from 'node:events';

  interface Muxer extends EventEmitter<{ mpeg1data: [Buffer]; ffmpegStderr: [Buffer]; exitWithError: [] }> {
    /** ffmpeg, with pipes for its standard input, output and errors. */
    readonly stream: ChildProcess;
  }
  const Mpeg1Muxer: new (options: {
    /** The input, as ffmpeg takes it. */
    url: string;
    ffmpegPath: string;
    /** Of the output: behind the input in ffmpeg's arguments, in this order; '' for a flag without a value. */
    ffmpegOptions: Record<string, string>;
  }) => Muxer;
  export default Mpeg1Muxer;
}
