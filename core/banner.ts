import { createToken } from './services.ts'

/** A line a plugin adds to what `rayne start` prints. */
export interface BannerLine { readonly title: string; readonly text: string }
export const BannerToken = createToken<() => BannerLine[]>('core.banner')
