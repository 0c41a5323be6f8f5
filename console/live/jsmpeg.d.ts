/** What we use of @cycjimmy/jsmpeg-player 6.1.2, which has no types. */
declare module '@cycjimmy/jsmpeg-player' {
  export interface Destination {
    write(data: Uint8Array | ArrayBuffer): void;
  }
  /** Where a player gets its transport stream from. */
  export interface Source {
    readonly streaming: boolean;
    readonly established: boolean;
    readonly completed: boolean;
    readonly progress: number;
    connect(destination: Destination): void;
    start(): void;
    resume(headroomS: number): void;
    destroy(): void;
  }
  export interface PlayerOptions {
    source: new () => Source;
    canvas: HTMLCanvasElement;
    audio: false;
    disableWebAssembly: boolean;
    disableGl: boolean;
    videoBufferSize: number;
    /** After each picture. */
    onVideoDecode: () => void;
  }
  const JSMpeg: { Player: new (url: string | null, options: PlayerOptions) => { destroy(): void } };
  export default JSMpeg;
}
