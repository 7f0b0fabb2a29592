"""What ComfyUI looks for in a custom node pack. The nodes are in `nodes`, the library is `paintseg`."""

if __package__:  # ComfyUI imports packs under a package name; pytest, collecting the root, does not
    try:
        from .nodes import comfy_entrypoint
    except Exception as problem:
        from .paintseg.io.packages import too_old

        if outdated := too_old():
            raise ImportError(" ".join(outdated)) from problem
        raise

    WEB_DIRECTORY = "./web"

    __all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
