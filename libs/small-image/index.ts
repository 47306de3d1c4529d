export {
  busyboxLayer,
  digestOf,
  layerOf,
  type OciLayer,
  type OciLayout,
  type SmallImage,
  writeOciLayout,
} from "./oci-layout.ts";
export * from "./programs.ts";
export { END, type TarEntry, tar, tarHeader } from "./tar.ts";
