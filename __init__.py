"""What ComfyUI looks for in a custom node pack. The nodes are in `nodes`, the library is `paintseg`."""

if __package__:  # ComfyUI imports packs under a package name; pytest, collecting the root, does not
    from .nodes import comfy_entrypoint

    WEB_DIRECTORY = "./web"

    __all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
