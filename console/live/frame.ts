/** Where a picture lies in an element, CSS pixels. */
export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** As `object-fit: contain` puts a picture of this shape (width / height). */
export function contained(width: number, height: number, aspect: number): Frame {
  const fitted = Math.min(width, height * aspect);
  return { x: (width - fitted) / 2, y: (height - fitted / aspect) / 2, width: fitted, height: fitted / aspect };
}
