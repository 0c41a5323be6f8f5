import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ID_PATTERN, Id } from '../ids.ts';
import { PicturePolygon } from '../rules/mod.ts';

/**
 * Live views: what goes over the WebSockets between a viewer, the centre and an edge. Text messages are JSON with a `type`;
 * binary ones are packets (`grid/live`).
 *
 *   viewer --open--> centre --command `live` (MQTT)--> edge --dials out--> centre --viewers--> edge
 *   viewer <--start, boxes, packets, state, ended-- centre <--start, boxes, packets, ended-- edge
 */
const strict = { additionalProperties: false } as const;
const Time = () => Type.Integer({ minimum: 0, description: 'UTC ms' });

/** masked: for everyone who may view; raw: with a grant. */
export const LIVE_VIEWS = ['masked', 'raw'] as const;
export type LiveView = (typeof LIVE_VIEWS)[number];

/** How pictures travel: single JPEGs, fragmented MP4 as the camera codes it, MPEG-1 in a transport stream. */
export const LIVE_FORMS = ['jpeg', 'fmp4', 'mpeg1'] as const;
export type LiveForm = (typeof LIVE_FORMS)[number];

/** What a viewer's browser can play as it is; everything else comes as MPEG-1. */
export const LIVE_CODECS = ['h264', 'h265'] as const;
export type LiveCodec = (typeof LIVE_CODECS)[number];

/** A path of the centre's API each: viewers come to the first, edges dial the second. */
export const LIVE_VIEWER_PATH = '/api/v1/live';
export const LIVE_EDGE_PATH = '/api/v1/live/edge';

/** A stream that a centre has asked for: the edge names it when it dials. */
export const LIVE_STREAM_PATTERN = '^[A-Za-z0-9_-]{22}$';
/** Header of the edge's request in which it names it. */
export const LIVE_STREAM_HEADER = 'x-gewu-live-stream';

/** Of one packet or message; a key frame of the fattest camera is far below. */
export const LIVE_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Centre to edge, `down/command`: somebody looks; dial the centre and show it this camera. */
export const LiveCommand = Type.Object(
  {
    command: Type.Literal('live'),
    stream: Type.String({ pattern: LIVE_STREAM_PATTERN }),
    camera: Id(),
    view: Type.Enum(LIVE_VIEWS),
    plays: Type.Array(Type.Enum(LIVE_CODECS), { maxItems: LIVE_CODECS.length }),
    /** Where the replica that asks is to be dialled; none: where the edge's configuration says that the API is. */
    url: Type.Optional(Type.String({ pattern: '^https?://[^/?#@]+/?$', maxLength: 512 })),
    ts: Time(),
  },
  strict,
);
export type LiveCommand = Static<typeof LiveCommand>;

/** Centre to edge: who looks now, whenever it changes. A raw view names its grant: the edge writes it down, and ends with it. */
export const LiveViewers = Type.Object(
  {
    type: Type.Literal('viewers'),
    viewers: Type.Array(
      Type.Object(
        {
          account: Type.String({ minLength: 1, maxLength: 64 }),
          grant: Type.Optional(
            Type.Object(
              {
                id: Id(),
                purpose: Type.String({ minLength: 1, maxLength: 500 }),
                /** In which the account looks. */
                roles: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
                endsAt: Time(),
              },
              strict,
            ),
          ),
        },
        strict,
      ),
      { maxItems: 1000 },
    ),
  },
  strict,
);
export type LiveViewers = Static<typeof LiveViewers>;

/** Edge to viewer: what follows, and the zones that are in force. Comes again when the stream begins anew. */
export const LiveStart = Type.Object(
  {
    type: Type.Literal('start'),
    camera: Id(),
    view: Type.Enum(LIVE_VIEWS),
    form: Type.Enum(LIVE_FORMS),
    /** RFC 6381, of `fmp4`. */
    codec: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9.]{1,64}$' })),
    widthPx: Type.Integer({ minimum: 1, maximum: 16_384 }),
    heightPx: Type.Integer({ minimum: 1, maximum: 16_384 }),
    zones: Type.Array(Type.Object({ id: Id(), polygon: PicturePolygon }, strict), { maxItems: 32 }),
  },
  strict,
);
export type LiveStart = Static<typeof LiveStart>;

const fraction = Type.Number({ minimum: -1, maximum: 2 });
export const LiveBox = Type.Object(
  {
    track: Id(),
    /** Never a person: the schema itself refuses one. */
    class: Type.String({ pattern: ID_PATTERN.replace('^', '^(?!person$)') }),
    score: Type.Number({ minimum: 0, maximum: 1 }),
    /** Left, top, right, bottom in fractions of the picture. */
    box: Type.Tuple([fraction, fraction, fraction, fraction]),
  },
  strict,
);
export type LiveBox = Static<typeof LiveBox>;

/** Edge to viewer, the side channel: the things in the picture that arrived at `at`. */
export const LiveBoxes = Type.Object(
  { type: Type.Literal('boxes'), at: Time(), boxes: Type.Array(LiveBox, { maxItems: 200 }) },
  strict,
);
export type LiveBoxes = Static<typeof LiveBoxes>;

/** Nothing comes any more. From the edge to the centre, and from there to the viewer. */
export const LiveEnded = Type.Object(
  {
    type: Type.Literal('ended'),
    /** Of the error catalogue. */
    code: Type.String({ pattern: '^GEWU_[A-Z_]{1,48}$' }),
    message: Type.String({ maxLength: 256 }),
  },
  strict,
);
export type LiveEnded = Static<typeof LiveEnded>;

/** What an edge says. */
export const checkEdgeLive = Compile(Type.Union([LiveStart, LiveBoxes, LiveEnded]));
export type EdgeLive = LiveStart | LiveBoxes | LiveEnded;

/** Viewer to centre, once, first of all. */
export const LiveOpen = Type.Object(
  {
    type: Type.Literal('open'),
    camera: Id(),
    view: Type.Enum(LIVE_VIEWS),
    plays: Type.Array(Type.Enum(LIVE_CODECS), { maxItems: LIVE_CODECS.length }),
    /** A token of the API; none where the request carried a session or an Authorization header. */
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    /** The grant of a raw view. */
    grant: Type.Optional(Id()),
  },
  strict,
);
export type LiveOpen = Static<typeof LiveOpen>;

/** Centre to viewer: `waiting` for the edge or the camera, `playing` once something comes. */
export interface LiveState {
  type: 'state';
  state: 'waiting' | 'playing';
  /** UTC ms at which this view ends at the latest. */
  endsAt: number;
}

/** What a viewer hears. */
export type ViewerLive = LiveStart | LiveBoxes | LiveEnded | LiveState;
