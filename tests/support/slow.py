"""What `scripts/test --fast` leaves out: folders, files and tests that take many seconds."""

from __future__ import annotations

#: Node ids without parameters -> why they take long.
SLOW = {
    # Many networks of libraries, each made, tried out and looked at.
    "tests/matrix": "every family of networks in torchvision, timm and transformers",
    "tests/classifier/test_layers.py::test_layers_of_known_architectures": "networks of torchvision",
    "tests/classifier/test_shadow.py::test_networks_of_torchvision": "networks of torchvision",
    "tests/explain/cam/test_cam.py::test_torchvision": "networks of torchvision",
    "tests/explain/test_odd_networks.py": "every technique with networks of every odd kind",
    "tests/graph/test_equality.py::test_torchvision": "networks of torchvision, one window after the other",
    "tests/study/test_filters.py::test_an_untrained_network_of_a_library_shows_no_effect_of_training": "is initialised",
    "tests/study/test_receptive_field.py::test_the_demo_s_large_network": "one gradient for each cell",
    "tests/study/test_receptive_field.py::test_torchvision_s_networks": "one gradient for each cell",
    # Other packages that do the same.
    "tests/explain/cam/test_gradcam.py::test_equals_captum": "imports captum",
    "tests/explain/gradient/test_guided_backprop.py::test_equals_captum_where_every_relu_is_a_module": "imports captum",
    "tests/explain/gradient/test_integrated_gradients.py::test_equals_captum": "imports captum",
    "tests/explain/gradient/test_saliency.py::test_equals_captum": "imports captum",
    "tests/explain/occlusion/test_occlusion.py::test_equals_captum": "imports captum",
    "tests/collection/test_projection.py::test_it_is_as_trustworthy_as_scikit_learns": "whole maps of both",
    # What trained networks show.
    "tests/collection/test_shortcut.py": "features and maps of two networks",
    "tests/explain/occlusion/test_occlusion.py::test_the_first_map_is_useful_and_the_next_ones_come_where_it_matters": (
        "whole maps of photographs"
    ),
    "tests/explain/test_shortcut.py": "maps of two networks by every technique",
    "tests/study/maximisation/test_ascent.py::test_a_channel_is_driven_far_beyond_what_it_shows_for_real_pictures": (
        "hundreds of steps"
    ),
    "tests/study/maximisation/test_ascent.py::test_a_class_of_imagenet_is_recognised_after_a_few_steps": "steps",
    "tests/study/maximisation/test_ascent.py::test_every_shape_gets_a_picture_that_the_network_recognises": "steps",
    "tests/study/maximisation/test_ascent.py::test_regularisers_calm_the_picture": "hundreds of steps",
    "tests/views/test_maximisation.py::test_a_picture_taken_for_another_class_is_told_with_the_mend": "many steps",
    # Memory that runs out, again and again.
    "tests/classifier/test_batching.py::test_a_single_picture_that_does_not_fit": "many passes that fail",
    "tests/collection/test_extraction.py::test_a_build_goes_on_with_fewer_pictures_when_memory_runs_out": "many passes",
    "tests/collection/test_patches.py::test_a_scan_goes_on_with_fewer_pictures_when_memory_runs_out": "many passes",
    "tests/explain/test_laws.py::test_goes_on_with_smaller_batches_when_memory_runs_out": "many passes that fail",
    "tests/explain/test_perturbation.py::test_variants_that_do_not_fit_into_memory_are_run_in_parts": "many passes",
    "tests/study/maximisation/test_ascent.py::test_views_that_do_not_fit_into_memory_are_run_in_parts": "many passes",
    # Other processes: kernels, servers, killed builds, fresh interpreters. scripts/check runs those of the last kind.
    "tests/collection/test_disk.py::test_a_killed_build_loses_at_most_the_batches_under_way": "processes",
    "tests/collection/test_disk.py::test_two_processes_do_not_build_one_store": "processes",
    "tests/collection/test_distributed.py": "a cluster of processes",
    "tests/collection/test_package.py::test_every_name_is_there_in_a_fresh_interpreter": "interpreters",
    "tests/collection/test_patches.py::test_a_killed_scan_loses_at_most_the_last_batch": "processes",
    "tests/test_api.py::test_modules_are_there_in_a_fresh_interpreter": "interpreters",
    "tests/test_architecture.py::test_a_program_is_written_down_without_the_compiler": "an interpreter",
    "tests/test_architecture.py::test_receptive_fields_are_followed_without_the_compiler": "an interpreter",
    "tests/test_architecture.py::test_the_app_opens_without_what_only_some_tabs_need": "an interpreter",
    "tests/test_documentation.py": "builds the documentation",
    "tests/test_notebooks.py::test_it_runs": "a kernel for each notebook",
    "tests/test_packaging.py": "builds, installs and serves the package",
    "tests/test_repository.py::test_what_other_systems_try_works_here": "a server and a kernel",
    "tests/test_serve.py": "servers",
    "tests/test_visitors.py": "servers and kernels",
    # A long run in short, and what only the garbage collector shows.
    "tests/soak": "a random hand, hostile messages, forced interleavings",
    "tests/widgets/test_base.py::test_a_closed_widget_is_let_go": "collects garbage for each widget",
}


def is_slow(nodeid: str) -> bool:
    """Whether a test is, or is in, one of these."""
    path, _, name = nodeid.partition("::")
    name = name.partition("[")[0]
    folders = path.split("/")
    inside = {"/".join(folders[:depth]) for depth in range(1, len(folders) + 1)}
    return bool(SLOW.keys() & (inside | {f"{path}::{name}"}))
